#!/bin/sh
# Started as root, every command but upgrade runs as the service's own user: what it writes is the service's.
set -eu
: "${FALLVAKT_CONFIG:=/etc/fallvakt/fallvakt.yaml}" "${FALLVAKT_DATA_DIR:=/var/lib/fallvakt}"
export FALLVAKT_CONFIG FALLVAKT_DATA_DIR
lib=/usr/lib/fallvakt
if [ "$(id -u)" != 0 ]; then
  # By systemd it is read already. Never as root: the service's user owns the file.
  if [ -z "${INVOCATION_ID-}" ] && [ -r /etc/fallvakt/environment ]; then set -a; . /etc/fallvakt/environment; set +a; fi
elif [ "${1-}" != upgrade ]; then
  export HOME="$FALLVAKT_DATA_DIR"
  exec setpriv --reuid=fallvakt --regid=fallvakt --init-groups -- "$0" "$@"
fi
exec "$lib/bin/node" "$lib/dist/fallvakt.js" "$@"
