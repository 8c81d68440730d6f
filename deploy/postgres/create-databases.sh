#!/bin/bash
# Run by the postgres image once, when its data folder is new: a database for each service, with its three roles.
# Passwords come from BLAZZ_POSTGRES_PASSWORD_{SERVICE}_{OWNER,API,WORKER}: a process that serves has not the owner's,
# for whoever owns a table is not bound by its row-level security.
set -euo pipefail

for service in gateway chat campaign notifier webjs_bridge; do
    for kind in owner api worker; do
        variable="BLAZZ_POSTGRES_PASSWORD_${service^^}_${kind^^}"
        # By the environment, not as an argument, which every process of the machine could read.
        ROLE_PASSWORD="${!variable:?set $variable}" psql -v ON_ERROR_STOP=1 -v role="${service}_${kind}" \
            --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv password ROLE_PASSWORD
SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'role', :'password') \gexec
SQL
    done
    psql -v ON_ERROR_STOP=1 -v service="$service" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I', :'service', :'service' || '_owner') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'service') \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I, %I', :'service', :'service' || '_api', :'service' || '_worker') \gexec
SQL
done
