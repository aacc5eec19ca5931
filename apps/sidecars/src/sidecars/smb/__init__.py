"""One signed-in session with a share of an SMB 2/3 server, by smbprotocol: NDJSON in, NDJSON out."""
