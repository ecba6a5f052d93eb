export class SlowLink {
	private constructor();
	static start(port: number, bytesPerSecond: number): Promise<SlowLink>;
	get port(): number;
	cut(): void;
	mend(bytesPerSecond: number): void;
	stop(): Promise<void>;
}
