export class SlowLog {}
