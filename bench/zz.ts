import { measureFetch } from './monitor/zzfetch.js';
export const run = () => measureFetch();
