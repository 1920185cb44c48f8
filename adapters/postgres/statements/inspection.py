"""Statements of application.ports.inspection. Each works for every role, which may see less than another."""

from sqlalchemy import text

SERVER_VERSION = text("SELECT current_setting('server_version')")

RIGHTS = text("""
    SELECT current_user AS role, coalesce(current_schema(), '') AS schema,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
        ARRAY(
            SELECT name FROM unnest(CAST(:tables AS text[])) AS needed (name) JOIN pg_class ON oid = to_regclass(name)
            WHERE NOT pg_has_role(relowner, 'USAGE') ORDER BY name
        ) AS foreign_tables,
        pg_has_role('pg_read_all_stats', 'USAGE') AS sees_all,
        current_setting('transaction_read_only') = 'on' AS is_read_only
""")

# A role that may not see the sessions of others sees that they are there. Reserved connections are for superusers.
CONNECTIONS = text("""
    SELECT least(
            CAST(current_setting('max_connections') AS integer)
                - CAST(current_setting('superuser_reserved_connections') AS integer)
                - coalesce(CAST(current_setting('reserved_connections', true) AS integer), 0),
            (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
            (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)
        ) AS allowed,
        count(*) AS used,
        count(*) FILTER (WHERE application_name = :application AND datname = current_database()) AS used_by_service
    FROM pg_stat_activity
    WHERE usesysid IS NOT NULL AND datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
""")

OLD_TRANSACTIONS = text("""
    SELECT pid, coalesce(usename, '') AS role, application_name AS application, state, xact_start AS since
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND xact_start <= clock_timestamp() - CAST(:age AS interval)
        AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
    ORDER BY xact_start, pid
""")

PREPARED_TRANSACTIONS = text("""
    SELECT gid AS name, prepared AS since FROM pg_prepared_xacts
    WHERE database = current_database() AND prepared <= clock_timestamp() - CAST(:age AS interval)
    ORDER BY prepared, gid
""")

UNUSED_SLOTS = text("""
    SELECT slot_name FROM pg_replication_slots
    WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL)
        AND coalesce(database, current_database()) = current_database()
    ORDER BY slot_name
""")

SERVER_SETTINGS = text("SELECT name, setting FROM pg_settings WHERE name = ANY (CAST(:names AS text[]))")
