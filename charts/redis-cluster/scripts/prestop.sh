# A primary hands over to a replica in step before it stops, within 10 s. Exits 0 whatever happens: the pod stops anyhow.
. /etc/redis/cli.sh

replication() { cli 127.0.0.1 info replication; }
replica() { replication | sed -n 's/^slave[0-9]*:ip=\([^,]*\),.*state=online.*/\1/p' | sed -n 1p; }

end=$(($(date +%s) + 8))
asked=""
while [ "$(date +%s)" -lt "$end" ] && replication | grep -q '^role:master'; do
  to=$(replica)
  [ -n "$to" ] || break # nobody to hand over to
  if [ "$to" != "$asked" ]; then
    cli "$to" cluster failover >/dev/null
    asked=$to
  fi
  sleep 0.3
done
exit 0
