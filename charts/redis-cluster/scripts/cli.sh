# Sourced by the probes: `cli HOST COMMAND…` asks a node as the user `probe`, for three seconds at most.
flags=""
if [ -n "$CREDENTIALS" ]; then
  REDISCLI_AUTH=$(cat "$CREDENTIALS/redis-probe-password")
  VALKEYCLI_AUTH=$REDISCLI_AUTH
  export REDISCLI_AUTH VALKEYCLI_AUTH
  flags="--user probe --no-auth-warning"
fi
[ -z "$TLS" ] || flags="$flags --tls --cacert $TLS/ca.crt"

cli() {
  host=$1
  shift
  # shellcheck disable=SC2086 # flags are words
  timeout 3 "$ENGINE-cli" -h "$host" $flags "$@" 2>&1 | tr -d '\r'
}
