import { FILE, SCHEMA_VERSION } from './jobKeys.js';
import { describe, type Key, type Shape } from './shape.js';

type Json = Readonly<Record<string, unknown>>;

/** A JSON Schema of the file for other editors and tools. Made from the table of keys; `syntaxes/` holds it. */
export function jsonSchema(): Json {
	const definitions = new Definitions();
	return {
		$schema: 'http://json-schema.org/draft-07/schema#',
		title: `boinc2docker.yml, form ${SCHEMA_VERSION}`,
		...definitions.of(FILE),
		definitions: definitions.all,
	};
}

class Definitions {
	readonly all: Record<string, Json> = {};
	/** Shapes that contain themselves have one definition each. */
	readonly #names = new Map<Shape, string>();

	of(shape: Shape): Json {
		switch (shape.type) {
			case 'text':
				return { type: ['string', 'number', 'boolean'], ...(shape.pattern && { pattern: shape.pattern.source }) };
			case 'value':
				return { type: ['string', 'number', 'boolean', 'null'] };
			case 'bytes':
			case 'seconds':
				return { type: ['string', 'number'], description: describe(shape) };
			case 'whole':
				return { type: 'integer', minimum: shape.least, maximum: shape.most };
			case 'number':
				return { type: 'number', ...(shape.above !== undefined && { exclusiveMinimum: shape.above }) };
			case 'flag':
				return { type: 'boolean' };
			case 'choice':
				return { enum: shape.of };
			case 'words':
				return { anyOf: [{ type: 'string' }, { type: 'array', items: { type: ['string', 'number', 'boolean'] } }] };
			case 'list':
				return this.#list(shape);
			case 'pairs':
				return this.#pairs(shape);
			case 'section':
				return this.#section(shape);
			case 'either':
				return { anyOf: shape.of.map((each) => this.of(each)) };
		}
	}

	#list(shape: Extract<Shape, { type: 'list' }>): Json {
		const list = { type: 'array', items: this.of(shape.of), ...(shape.least !== undefined && { minItems: shape.least }) };
		return shape.single === true ? { anyOf: [list, this.of(shape.of)] } : list;
	}

	#pairs({ of, name }: Extract<Shape, { type: 'pairs' }>): Json {
		return { type: 'object', additionalProperties: this.of(of), ...(name && { propertyNames: { pattern: name.source } }) };
	}

	#section(shape: Extract<Shape, { type: 'section' }>): Json {
		const known = this.#names.get(shape);
		if (known !== undefined) {
			return { $ref: `#/definitions/${known}` };
		}
		const name = `section${this.#names.size}`;
		this.#names.set(shape, name);
		this.all[name] = {
			type: 'object',
			additionalProperties: false,
			properties: Object.fromEntries(shape.keys().map((key) => [key.name, { ...this.of(key.shape), description: explain(key) }])),
			...(shape.kinds && { oneOf: shape.kinds.map((kind) => ({ required: [kind] })) }),
		};
		return { $ref: `#/definitions/${name}` };
	}
}

/** All that is said about a key, as plain text. */
function explain({ doc, default: fallback, trap, later }: Key): string {
	return [
		doc,
		...(fallback === undefined ? [] : [`Default: ${fallback}.`]),
		...(trap === undefined ? [] : [trap]),
		...(later === undefined ? [] : [`Refused for now: ${later}`]),
	].join(' ');
}
