/** INFO commandstats, errorstats and latencystats. */
import type { Command } from "./command.ts";
import type { Context } from "./context.ts";
import type { Fields } from "./info.ts";

function everyCommand({ services }: Context): Command[] {
  return services.commands.all.flatMap((each) => [each, ...(each.subcommands ?? [])]);
}

export function commandSection(context: Context): Fields {
  const fields: Record<string, string> = {};
  for (const { id, fullName } of everyCommand(context)) {
    const { calls, rejectedCalls, failedCalls, microseconds } = context.services.statistics.of(id);
    if (calls === 0 && rejectedCalls === 0 && failedCalls === 0) continue;
    const perCall = calls === 0 ? 0 : microseconds / calls;
    fields[`cmdstat_${fullName}`] =
      `calls=${calls},usec=${Math.round(microseconds)},usec_per_call=${perCall.toFixed(2)},` +
      `rejected_calls=${rejectedCalls},failed_calls=${failedCalls}`;
  }
  return fields;
}

export function errorSection({ services }: Context): Fields {
  const fields: Record<string, string> = {};
  for (const [code, count] of services.statistics.errors) fields[`errorstat_${code}`] = `count=${count}`;
  return fields;
}

export function latencySection(context: Context): Fields {
  const { configuration, statistics } = context.services;
  const fields: Record<string, string> = {};
  if (!configuration.get("latency-tracking")) return fields;
  const percentiles = configuration.get("latency-tracking-info-percentiles");
  for (const { id, fullName } of everyCommand(context)) {
    const { histogram } = statistics.of(id);
    if (histogram === undefined) continue;
    fields[`latency_percentiles_usec_${fullName}`] = percentiles
      .map((percentile) => `p${percentile}=${histogram.percentile(percentile / 100).toFixed(3)}`)
      .join(",");
  }
  return fields;
}
