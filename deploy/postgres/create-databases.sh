#!/bin/bash
# Run by the postgres image once, when its data folder is new: a database for each service, with its three roles.
# Passwords come from BLAZZ_POSTGRES_PASSWORD_{SERVICE}; the three roles of a service share one.
set -euo pipefail

for service in gateway chat campaign notifier webjs_bridge; do
    variable="BLAZZ_POSTGRES_PASSWORD_${service^^}"
    psql -v ON_ERROR_STOP=1 -v service="$service" -v password="${!variable:?set $variable}" \
        --username "$POSTGRES_USER" --dbname postgres <<'SQL'
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'service' || '_' || kind, :'password')
FROM unnest(ARRAY['owner', 'api', 'worker']) AS kind \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'service', :'service' || '_owner') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'service') \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I, %I', :'service', :'service' || '_api', :'service' || '_worker') \gexec
SQL
done
