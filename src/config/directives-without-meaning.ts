/**
 * The directives that have no meaning in this design: no replicas and no cluster, no TLS, no threads to count, no
 * allocator to tune. They are checked like the others, so that an existing configuration file is read without edits
 * and a typing mistake is found, and they change nothing.
 */
import { none } from "./directive.ts";
import { bytes, INT_MAX, integer, LONG_MAX, memory, oneOf, text, UINT_MAX, ULONG_MAX, yesNo } from "./kinds.ts";
import { oomScoreValues, primaryAddress } from "./special-kinds.ts";

const MIB = 2 ** 20;
const COUNT = { min: 0n, max: INT_MAX };
const POSITIVE = { min: 1n, max: INT_MAX };
const LONG_COUNT = { min: 0n, max: LONG_MAX };
const PORT = { min: 0n, max: 65535n };
const immutable = true;
const hidden = true;

const TITLE_VARIABLES = "title|listen-addr|server-mode|config-file|port|tls-port|unixsocket";
const TITLE_TEMPLATE = new RegExp(`^([^{]|\\{\\{|\\{(${TITLE_VARIABLES})\\})*$`);

function titleFault(template: string): string | undefined {
  // A template that comes out empty is a fault as well; the variable {title} may be empty at the time of the check.
  const blank = template.replaceAll(/\{(title|server-mode)\}/g, "").trim() === "";
  return !TITLE_TEMPLATE.test(template) || blank
    ? "template format is invalid or contains unknown variables"
    : undefined;
}

function hostNameFault(name: string): string | undefined {
  if (name.length >= 256) return "Hostnames must be less than 256 characters";
  return /^[A-Za-z0-9.-]*$/.test(name)
    ? undefined
    : "Hostnames may only contain alphanumeric characters, hyphens or dots";
}

function nodeNameFault(name: string): string | undefined {
  return /[!#$%&()*+:;<>?@[\]^{|}~]/.test(name) ? "Announced human node name contained invalid character" : undefined;
}

const replication = {
  replicaof: none(primaryAddress(), { immutable, alias: "slaveof" }),
  masterauth: none(bytes(), { sensitive: true }),
  masteruser: none(text(), { sensitive: true }),
  "min-replicas-max-lag": none(integer(10, COUNT), { alias: "min-slaves-max-lag" }),
  "min-replicas-to-write": none(integer(0, COUNT), { alias: "min-slaves-to-write" }),
  "propagation-error-behavior": none(oneOf(["ignore", "panic", "panic-on-replicas"], "ignore")),
  "repl-backlog-size": none(memory(MIB, { min: 1n, max: LONG_MAX }, { min: 16_384n, max: LONG_MAX })),
  "repl-backlog-ttl": none(integer(3600, LONG_COUNT)),
  "repl-disable-tcp-nodelay": none(yesNo("no")),
  "repl-diskless-load": none(oneOf(["disabled", "on-empty-db", "swapdb"], "disabled"), { fixedWhileLoading: true }),
  "repl-diskless-sync": none(yesNo("yes")),
  "repl-diskless-sync-delay": none(integer(5, COUNT)),
  "repl-diskless-sync-max-replicas": none(integer(0, COUNT)),
  "repl-ping-replica-period": none(integer(10, POSITIVE), { alias: "repl-ping-slave-period" }),
  "repl-timeout": none(integer(60, POSITIVE)),
  "replica-announce-ip": none(text(), { alias: "slave-announce-ip" }),
  "replica-announce-port": none(integer(0, PORT), { alias: "slave-announce-port" }),
  "replica-announced": none(yesNo("yes")),
  "replica-ignore-disk-write-errors": none(yesNo("no")),
  "replica-ignore-maxmemory": none(yesNo("yes"), { alias: "slave-ignore-maxmemory" }),
  "replica-lazy-flush": none(yesNo("no"), { alias: "slave-lazy-flush" }),
  "replica-priority": none(integer(100, COUNT), { alias: "slave-priority" }),
  "replica-read-only": none(yesNo("yes"), { alias: "slave-read-only" }),
  "replica-serve-stale-data": none(yesNo("yes"), { alias: "slave-serve-stale-data" }),
};

const cluster = {
  "cluster-enabled": none(yesNo("no"), { immutable }),
  "cluster-allow-pubsubshard-when-down": none(yesNo("yes")),
  "cluster-allow-reads-when-down": none(yesNo("no")),
  "cluster-allow-replica-migration": none(yesNo("yes")),
  "cluster-announce-bus-port": none(integer(0, PORT)),
  "cluster-announce-hostname": none(text(undefined, hostNameFault)),
  "cluster-announce-human-nodename": none(text(undefined, nodeNameFault)),
  "cluster-announce-ip": none(text()),
  "cluster-announce-port": none(integer(0, PORT)),
  "cluster-announce-tls-port": none(integer(0, PORT)),
  "cluster-config-file": none(text("nodes.conf"), { immutable }),
  "cluster-link-sendbuf-limit": none(memory(0, { min: 0n, max: ULONG_MAX })),
  "cluster-migration-barrier": none(integer(1, COUNT)),
  "cluster-node-timeout": none(integer(15_000, LONG_COUNT)),
  "cluster-ping-interval": none(integer(0, LONG_COUNT), { hidden }),
  "cluster-port": none(integer(0, PORT), { immutable }),
  "cluster-preferred-endpoint-type": none(oneOf(["ip", "hostname", "unknown-endpoint"], "ip")),
  "cluster-replica-no-failover": none(yesNo("no"), { alias: "cluster-slave-no-failover" }),
  "cluster-replica-validity-factor": none(integer(10, COUNT), { alias: "cluster-slave-validity-factor" }),
  "cluster-require-full-coverage": none(yesNo("yes")),
};

const tls = {
  "tls-port": none(integer(0, PORT)),
  "tls-auth-clients": none(oneOf(["no", "yes", "optional"], "yes")),
  "tls-ca-cert-dir": none(text()),
  "tls-ca-cert-file": none(text()),
  "tls-cert-file": none(text()),
  "tls-ciphers": none(text()),
  "tls-ciphersuites": none(text()),
  "tls-client-cert-file": none(text()),
  "tls-client-key-file": none(text()),
  "tls-client-key-file-pass": none(text()),
  "tls-cluster": none(yesNo("no")),
  "tls-dh-params-file": none(text()),
  "tls-key-file": none(text()),
  "tls-key-file-pass": none(text()),
  "tls-prefer-server-ciphers": none(yesNo("no")),
  "tls-protocols": none(text()),
  "tls-replication": none(yesNo("no")),
  "tls-session-cache-size": none(integer(20 * 1024, COUNT)),
  "tls-session-cache-timeout": none(integer(300, COUNT)),
  "tls-session-caching": none(yesNo("yes")),
};

const allocatorAndTables = {
  "active-defrag-max-scan-fields": none(integer(1000, { min: 1n, max: LONG_MAX })),
  activerehashing: none(yesNo("yes")),
  "jemalloc-bg-thread": none(yesNo("yes")),
};

const operatingSystem = {
  "always-show-logo": none(yesNo("no"), { immutable }),
  aof_rewrite_cpulist: none(text(), { immutable }),
  bgsave_cpulist: none(text(), { immutable }),
  "bind-source-addr": none(text()),
  bio_cpulist: none(text(), { immutable }),
  "crash-log-enabled": none(yesNo("yes")),
  "crash-memcheck-enabled": none(yesNo("yes")),
  daemonize: none(yesNo("no"), { immutable }),
  "disable-thp": none(yesNo("yes"), { immutable }),
  "enable-module-command": none(oneOf(["no", "yes", "local"], "no"), { immutable }),
  "ignore-warnings": none(text("")),
  "io-threads": none(integer(1, { min: 1n, max: 128n }), { immutable }),
  "io-threads-do-reads": none(yesNo("no"), { immutable }),
  "locale-collate": none(text("")),
  "oom-score-adj": none(oneOf(["no", "yes", "relative", "absolute"], "no", { relative: "yes" })),
  "oom-score-adj-values": none(oomScoreValues("0 200 800")),
  "proc-title-template": none(text("{title} {listen-addr} {server-mode}", titleFault)),
  server_cpulist: none(text(), { immutable }),
  "set-proc-title": none(yesNo("yes"), { immutable }),
  "socket-mark-id": none(integer(0, { min: 0n, max: UINT_MAX }), { immutable }),
  supervised: none(oneOf(["upstart", "systemd", "auto", "no"], "no"), { immutable }),
  "syslog-enabled": none(yesNo("no"), { immutable }),
  "syslog-facility": none(
    oneOf(["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"], "local0"),
    { immutable },
  ),
  "syslog-ident": none(text("redis"), { immutable }),
  "use-exit-on-panic": none(yesNo("no"), { hidden }),
  "watchdog-period": none(integer(0, COUNT), { hidden }),
};

/** The chunks of lists are never compressed, and what is restored is always checked completely. */
const collections = {
  "list-compress-depth": none(integer(0, COUNT)),
  "sanitize-dump-payload": none(oneOf(["no", "yes", "clients"], "no")),
};

/** Loading goes on in slices of time, what a rewrite leaves over is always deleted, no file is for replicas only. */
const files = {
  "rdb-del-sync-files": none(yesNo("no")),
  "key-load-delay": none(integer(0, { min: -INT_MAX - 1n, max: INT_MAX }), { hidden }),
  "loading-process-events-interval-bytes": none(integer(2 * MIB, { min: 1024n, max: INT_MAX }), { hidden }),
  "aof-disable-auto-gc": none(yesNo("no"), { hidden }),
};

/** The directives accepted without effect. */
export const directivesWithoutMeaning = {
  ...replication,
  ...cluster,
  ...tls,
  ...allocatorAndTables,
  ...operatingSystem,
  ...collections,
  ...files,
};
