/** The style sheet of a page goes into a file beside its program. */
declare module '*.css';
