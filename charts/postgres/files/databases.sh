#!/bin/sh
# A database a service, and the role that owns it. The image runs this once, when it has made the cluster's files.
# psql reads the passwords itself: they are in no argument, and no statement is logged.
set -eu
for service in {{ join " " .Values.databases }}; do
  SERVICE=$service psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set "service=$service" --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set password `cat "/etc/polysession/credentials/$SERVICE-database-password"`
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
SQL
done
