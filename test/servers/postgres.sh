#!/bin/sh
# Starts a throw-away PostgreSQL of the machine's own packages on a free loopback port, or stops it.
#   postgres.sh start [DIR]    prints the URL for TEST_DATABASE_URL; DIR is made and holds everything
#   postgres.sh stop [DIR]     stops it and removes DIR
set -eu

command=${1:?start or stop}
dir=${2:-${TMPDIR:-/tmp}/drawbridge-postgres}

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v pg_ctl)")

# PostgreSQL refuses to run as root; Debian's package brings a user for it.
as_user() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

case $command in
  start)
    [ ! -e "$dir" ] || { echo "$dir exists" >&2; exit 1; }
    mkdir -p "$dir"
    chmod 700 "$dir"
    [ "$(id -u)" != 0 ] || chown postgres "$dir"
    as_user "$bin/initdb" -D "$dir/data" -U drawbridge -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 \
      || { cat "$dir/initdb.log" >&2; exit 1; }
    # Debian's pg_cron, where it is installed, lives in the database `postgres`.
    cron=""
    if [ -e "$bin/../lib/pg_cron.so" ]; then
      cron="-c shared_preload_libraries=pg_cron -c cron.database_name=postgres"
    fi
    # The port is taken between two tries by someone else, or it is ours.
    for try in 1 2 3 4 5; do
      port=$((20000 + ($$ * 7 + try * 911) % 20000))
      if as_user "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -s \
        -o "-p $port -h 127.0.0.1 -k $dir -c fsync=off $cron" start >/dev/null 2>&1; then
        echo "postgresql://drawbridge@127.0.0.1:$port/postgres"
        exit 0
      fi
    done
    cat "$dir/server.log" >&2
    exit 1
    ;;
  stop)
    as_user "$bin/pg_ctl" -D "$dir/data" -m fast -w -s stop
    rm -rf "$dir"
    ;;
  *)
    echo "start or stop, not $command" >&2
    exit 2
    ;;
esac
