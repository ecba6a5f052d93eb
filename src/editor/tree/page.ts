/** Rows that a list grows by. */
export const PAGE = 200;
