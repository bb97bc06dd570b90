/** What `stillwater --help` prints. */
export const HELP = `Usage: stillwater [/path/to/redis.conf] [--directive value ...] [-]
       stillwater - (read the configuration from standard input)
       stillwater -v or --version
       stillwater -h or --help

Without arguments it serves 127.0.0.1:6379.

Examples:
       stillwater
       stillwater /etc/redis/redis.conf
       stillwater --port 7777
       stillwater --port 7777 --maxmemory 4gb --requirepass secret
       stillwater --unixsocket /tmp/stillwater.sock --port 0
       echo 'maxmemory 128mb' | stillwater -
`;
