/** By statfs(2): ext2 to ext4, xfs, btrfs, tmpfs, overlayfs, zfs, f2fs. */
const localTypes = new Set([0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1, 0xf2f5_2010]);

/** By statfs(2): cifs, its versions 2 and 3, and smbfs before it. */
const smbTypes = new Set([0xff53_4d42, 0xfe53_4d42, 0x517b]);

/** Whether a disk of this machine has it; what is neither known as one nor as SMB is a mount of some kind. */
export function placeOf(type: number): "local" | "smb" | "mounted" {
  return localTypes.has(type) ? "local" : smbTypes.has(type) ? "smb" : "mounted";
}
