/** What `stillwater --help` prints. */
export const HELP = `Usage: stillwater [/path/to/redis.conf] [--directive value ...] [-]
       stillwater - (read the configuration from standard input)
       stillwater -v or --version
       stillwater -h or --help
       stillwater check-rdb FILE
       stillwater check-aof [--fix|--truncate-to-timestamp SECONDS] FILE|MANIFEST

Without arguments it serves port 6379 of this machine, to this machine only
(127.0.0.1 and ::1). --bind '*' serves the network: set --requirepass with it.
All directives of redis.conf are known; what has no effect is said at start.

Examples:
       stillwater
       stillwater /etc/redis/redis.conf
       stillwater --port 7777
       stillwater --port 7777 --maxmemory 4gb --requirepass secret
       stillwater --unixsocket /tmp/stillwater.sock --port 0
       echo 'maxmemory 128mb' | stillwater -
`;
