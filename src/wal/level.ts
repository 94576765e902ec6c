/** When a record is acknowledged: at once, after `write`, after `fdatasync` of its group. */
export const level = { buffered: 1, os: 2, sync: 3 } as const

export type Level = (typeof level)[keyof typeof level]
