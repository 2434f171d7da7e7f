# Started: the data is read. LOADING is not.
. /etc/redis/cli.sh
[ "$(cli 127.0.0.1 ping)" = PONG ]
