export interface WebhookBenchOptions {
  /** Arrivals a second, one run each. */
  rates: number[];
  seconds: number;
  customers: number;
  /** Tasks that apply events, a second. */
  eventRate: number;
  json: boolean;
  keep: boolean;
}

/** Of every process that checks signatures here. */
export const webhookSecret = 'whsec_of_the_benchmark';
