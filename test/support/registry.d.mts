export interface TestRegistry {
	readonly port: number;
	stop(): Promise<void>;
}
export const ACCOUNT: { readonly name: string; readonly password: string };
export function startRegistry(dir: string, access?: 'open' | 'password'): Promise<TestRegistry>;
export function trustRegistries(file: string, registries: readonly { readonly port: number }[]): Promise<void>;
