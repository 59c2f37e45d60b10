/** Reads of this folder are nobody's question: on a machine that is full they wait rather than give a sweep up. */
export const historySeconds = 120;
