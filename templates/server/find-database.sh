#!/bin/sh
# Prints where a MySQL or MariaDB server may listen on this machine: its UNIX sockets, most specific first, one a line.
# The first line is the machine's own name, which BOINC takes for "localhost" in config.xml.
printf 'host %s\n' "$(hostname 2>/dev/null || uname -n)"
{
	[ -z "${MYSQL_UNIX_PORT:-}" ] || printf '%s\n' "$MYSQL_UNIX_PORT"
	for tool in my_print_defaults mariadb-print-defaults; do
		if command -v "$tool" >/dev/null 2>&1; then
			"$tool" client client-server client-mariadb mysqld mariadbd server 2>/dev/null | sed -n 's/^--socket=//p'
			break
		fi
	done
	for tool in mysql_config mariadb_config; do
		if command -v "$tool" >/dev/null 2>&1; then
			"$tool" --socket 2>/dev/null
			break
		fi
	done
	printf '%s\n' /run/mysqld/mysqld.sock /var/run/mysqld/mysqld.sock /run/mysql/mysql.sock \
		/var/lib/mysql/mysql.sock /tmp/mysql.sock
} | while IFS= read -r socket; do
	case $socket in
	/*) [ ! -S "$socket" ] || printf 'socket %s\n' "$socket" ;;
	esac
done
exit 0
