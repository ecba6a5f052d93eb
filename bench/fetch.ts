import { measureFetch } from './monitor/fetch.js';

/** 1,000 results of 1 MB over SSH: ours against `ssh tar c | tar x`; see `measureFetch`. */
export async function run(): Promise<Record<string, number>> {
	return { ...(await measureFetch()) };
}
