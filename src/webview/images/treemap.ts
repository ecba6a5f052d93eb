/** A rectangle in parts of the whole: all from 0 to 1. */
export interface Box<T> {
	readonly item: T;
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/**
 * Divides a rectangle by sizes into boxes that are as square as can be: the squarified treemap of Bruls, Huizing and van Wijk.
 * `aspect` is width by height of the rectangle. Items without a size are left out.
 */
export function treemap<T extends { readonly bytes: number }>(items: readonly T[], aspect: number): Box<T>[] {
	const sorted = items.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.bytes - a.bytes);
	const total = sorted.reduce((sum, { bytes }) => sum + bytes, 0);
	const boxes: Box<T>[] = [];
	// In a rectangle of `aspect` by 1, whose area is shared out.
	const rest = { x: 0, y: 0, width: aspect, height: 1 };
	const areaOf = ({ bytes }: T): number => (bytes / total) * aspect;
	for (let at = 0; at < sorted.length;) {
		const side = Math.min(rest.width, rest.height);
		let end = at + 1;
		while (
			end < sorted.length &&
			worst(sorted.slice(at, end + 1).map(areaOf), side) <= worst(sorted.slice(at, end).map(areaOf), side)
		) {
			end++;
		}
		const row = sorted.slice(at, end);
		const area = row.reduce((sum, item) => sum + areaOf(item), 0);
		const isColumn = rest.width >= rest.height;
		const thickness = side === 0 ? 0 : area / side;
		let offset = 0;
		for (const item of row) {
			const length = thickness === 0 ? 0 : areaOf(item) / thickness;
			boxes.push({
				item,
				x: (rest.x + (isColumn ? 0 : offset)) / aspect,
				y: rest.y + (isColumn ? offset : 0),
				width: (isColumn ? thickness : length) / aspect,
				height: isColumn ? length : thickness,
			});
			offset += length;
		}
		if (isColumn) {
			rest.x += thickness;
			rest.width -= thickness;
		} else {
			rest.y += thickness;
			rest.height -= thickness;
		}
		at = end;
	}
	return boxes;
}

/** The worst ratio of a row's sides. */
function worst(areas: readonly number[], side: number): number {
	const sum = areas.reduce((all, area) => all + area, 0);
	const square = (sum / side) ** 2;
	return Math.max(...areas.map((area) => Math.max(square / area, area / square)));
}
