# Writes what only this pod knows, then becomes the server: signals reach it, and no password is among its arguments.
set -eu
umask 077
sh /etc/redis/engine.sh /data
{
  echo "include /etc/redis/redis.conf"
  echo "cluster-announce-ip $POD_IP"
  echo "cluster-announce-hostname $POD_NAME.$NODES_DOMAIN"
  echo "cluster-announce-human-nodename $NODE_NAME"
  if [ -n "$CREDENTIALS" ]; then
    echo "masteruser replica"
    echo "masterauth $(cat "$CREDENTIALS/redis-replica-password")"
  fi
} >/tmp/redis.conf
exec "$ENGINE-server" /tmp/redis.conf
