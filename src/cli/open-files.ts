/** The system's limit of open files, and with them connections. */
interface DiagnosticReport {
  readonly userLimits?: { readonly open_files?: { readonly soft: number | "unlimited" } };
}

/** @returns how many files this process may have open; Infinity if nothing is known of a limit */
export function greatestNumberOfOpenFiles(): number {
  const { userLimits } = process.report.getReport() as unknown as DiagnosticReport;
  const limit = userLimits?.open_files?.soft;
  return typeof limit === "number" ? limit : Number.POSITIVE_INFINITY;
}
