/** Text files that are bundled into the programs. */
declare module '*.sh' {
	const text: string;
	export default text;
}
declare module '*.py' {
	const text: string;
	export default text;
}
declare module '*.sql' {
	const text: string;
	export default text;
}
