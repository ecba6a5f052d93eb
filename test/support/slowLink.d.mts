export class SlowLink {
	private constructor();
	readonly passed: number;
	static start(port: number, bytesPerSecond: number): Promise<SlowLink>;
	get port(): number;
	cut(): void;
	mend(bytesPerSecond: number): void;
	stop(): Promise<void>;
}
