#!/bin/sh
# guard.sh SIGNAL GRACE_SECONDS COMMAND...
# Runs COMMAND for as long as standard input stays open. The supervisor holds the other end, so the pipe closes both when
# it asks for the end and when it was killed with -9: COMMAND then gets SIGNAL and, once the grace is over, its whole
# process group is killed. Must be started as the leader of a process group of its own.
signal=$1
grace=$2
shift 2
exec 3<&0 0</dev/null
"$@" 3<&- &
child=$!
trap '' INT TERM HUP
{
  read -r _ <&3
  kill -s "$signal" "$child" 2>/dev/null
  left=$((grace * 10))
  while [ "$left" -gt 0 ] && kill -0 "$child" 2>/dev/null; do
    sleep 0.1
    left=$((left - 1))
  done
  kill -KILL 0
} &
wait "$child"
code=$?
# What COMMAND left behind in its group is ended by the supervisor, or by the lines above once it is gone.
exit "$code"
