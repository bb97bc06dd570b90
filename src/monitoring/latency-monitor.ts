export class LatencyMonitor {}
