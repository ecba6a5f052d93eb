import type { ProgressUpdate } from '../../common/ports.js';
import { TransferRate } from '../../common/transferRate.js';
import type { PushedLayer } from '../../image/engine/registryPush.js';
import { Run, type RunPorts } from './run.js';

/** An image on its way to a server or a registry. */
export class PushRun extends Run<{ readonly bytesSent: number }> {
	/** Where to, for people. */
	readonly place: string;
	readonly kind: 'server' | 'registry';
	readonly rate = new TransferRate();
	/** Of a registry. */
	layers: readonly PushedLayer[] = [];
	readonly #ports: RunPorts;

	constructor(kind: 'server' | 'registry', place: string, ports: RunPorts) {
		super(ports);
		this.kind = kind;
		this.place = place;
		this.#ports = ports;
	}

	setLayers(layers: readonly PushedLayer[]): void {
		this.layers = layers;
		this.#ports.onChange();
	}

	protected override onProgress = ({ current, unit }: ProgressUpdate): void => {
		if (unit === 'bytes' && current !== undefined) {
			this.rate.add(current, this.#ports.clock.now());
		}
	};
}
