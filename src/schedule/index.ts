/** schedule: assignments by process and slot, heads, ranges, hash chains, scheduler locations. */
export { Assignments } from './assignments.ts'
export { assignmentMount } from './assignment-mount.ts'
export { decodeTarget, indexPrefix, locationPrefix, parseIndexKey } from './keys.ts'
export { scheduleRoots } from './schedule-roots.ts'
export { checkSchedule } from './verify-schedule.ts'
export type * from './types.ts'
