# Ready: it joined a cluster that has slots, and if it is a replica, it is in step with its primary. Not the cluster's state:
# that would take every pod out when one shard is away. Nor a primary's replicas.
. /etc/redis/cli.sh
info=$(cli 127.0.0.1 cluster info)
assigned=$(printf '%s\n' "$info" | sed -n 's/^cluster_slots_assigned://p')
[ "${assigned:-0}" -gt 0 ] || exit 1
role=$(cli 127.0.0.1 role)
case $(printf '%s\n' "$role" | sed -n 1p) in
  master) ;;
  slave) [ "$(printf '%s\n' "$role" | sed -n 4p)" = connected ] ;;
  *) exit 1 ;;
esac
