import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Passes connections on and counts the bytes of both directions; in a thread, so that it slows nobody's loop. */
const COUNTER = `
const { workerData, parentPort } = require('node:worker_threads');
const net = require('node:net');
let bytes = 0;
net.createServer({ noDelay: true }, (near) => {
	const far = net.connect({ port: workerData.port, host: '127.0.0.1', noDelay: true });
	for (const [from, to] of [[near, far], [far, near]]) {
		from.on('data', (data) => { bytes += data.length; if (!to.write(data)) { from.pause(); to.once('drain', () => from.resume()); } });
		from.on('close', () => to.destroy());
		from.on('error', () => {});
	}
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
parentPort.on('message', () => parentPort.postMessage(bytes));
`;

export class Counter {
	private constructor(
		readonly worker: Worker,
		readonly port: number,
	) {}

	static async before(port: number): Promise<Counter> {
		const worker = new Worker(COUNTER, { eval: true, workerData: { port } });
		const [own] = (await once(worker, 'message')) as [number];
		return new Counter(worker, own);
	}

	async bytes(): Promise<number> {
		const answer = once(this.worker, 'message');
		this.worker.postMessage('bytes');
		return ((await answer) as [number])[0];
	}
}
