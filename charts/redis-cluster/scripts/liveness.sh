# Alive: it answers, be it that it loads or that its primary is away. A restart would help neither.
. /etc/redis/cli.sh
case $(cli 127.0.0.1 ping) in
  PONG | LOADING* | MASTERDOWN*) ;;
  *) exit 1 ;;
esac
