import { expect, it } from 'vitest';

import { lazily } from '../../../src/common/lazily.js';

it('makes a value once, and not before it is asked for', () => {
	let made = 0;
	const value = lazily(() => {
		made++;
		return undefined;
	});
	expect(made).toBe(0);
	value();
	value();
	expect(made).toBe(1);
});
