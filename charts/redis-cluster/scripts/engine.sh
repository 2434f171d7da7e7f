# `engine.sh FOLDER`: fails where the files are the other engine's, and says what to do. The file that an AOF begins with
# tells; where there is none, nothing is refused. The server itself would only say that the format is bad.
case $(cat "$1"/appendonlydir/*.base.rdb 2>/dev/null | head -c 6) in
  REDIS*) holds=redis ;;
  VALKEY) holds=valkey ;;
  *) exit 0 ;;
esac
[ "$holds" = "$ENGINE" ] || {
  echo "This volume holds data of $holds, and the chart's engine is $ENGINE: neither reads the other's files. Nothing has" \
    "changed. Set engine: $holds again, or roll back. To change the engine: helm uninstall, delete this release's volumes" \
    "of Redis, install again; what sessions hold is lost, who is signed in comes back from the ledger." >&2
  exit 1
}
