import type { Message, Value } from '../content/index.ts'
import type { Assignment } from '../schedule/index.ts'
import { FormatError, isMessage, parseJson, requireProcess } from './line-format.ts'

/**
 * One line of a scheduler unit's feed: an edge `{node: {assignment, message}}` with or without its cursor, a bare
 * `{assignment, message}`, or a whole page `{edges: […]}`. Pure; FormatError says what is wrong with the line.
 */
export function parseSchedulerUnitLine(text: string): Assignment[] {
  const value = parseJson(text)
  if (!isMessage(value)) throw new FormatError('is not a JSON object')
  const { edges } = value
  if (!Array.isArray(edges)) return [edgeToAssignment(value)]
  return edges.map((edge: Value) => {
    if (!isMessage(edge)) throw new FormatError('has an edge that is not an object')
    return edgeToAssignment(edge)
  })
}

/**
 * Every field of the edge's assignment is kept as it came; the tags a store needs are lifted to fields of their own,
 * and the message becomes the body. The mapping is in docs/cli.md: changing it changes the content ids of imports.
 */
function edgeToAssignment(edge: Message): Assignment {
  const node = edge.node === undefined ? edge : edge.node
  if (!isMessage(node)) throw new FormatError('has a node that is not an object')
  const { assignment, message = null } = node
  if (!isMessage(assignment)) throw new FormatError('has no assignment: expected node.assignment or assignment')
  if (message !== null && !isMessage(message)) throw new FormatError('has a message that is neither an object nor null')
  const tags = readTags(assignment.tags)
  return {
    ...assignment,
    process: requireProcess(requireTag(tags, 'Process'), 'tag Process'),
    slot: requireNumber(requireTag(tags, 'Nonce'), 'Nonce'),
    ...optionalText(tags, 'Epoch', 'epoch'),
    ...optionalNumber(tags, 'Block-Height', 'block-height'),
    ...optionalNumber(tags, 'Timestamp', 'timestamp'),
    ...optionalText(tags, 'Hash-Chain', 'hash-chain'),
    body: message,
  }
}

/** Values of the tags by name; a name that occurs twice is null, for which one would count is anybody's guess. */
function readTags(tags: Value | undefined): ReadonlyMap<string, string | null> {
  if (!Array.isArray(tags)) throw new FormatError('has an assignment without a list of tags')
  const found = new Map<string, string | null>()
  for (const tag of tags as readonly Value[]) {
    if (!isMessage(tag) || typeof tag.name !== 'string' || typeof tag.value !== 'string') {
      throw new FormatError('has a tag that is not {name, value}')
    }
    found.set(tag.name, found.has(tag.name) ? null : tag.value)
  }
  return found
}

function optionalTag(tags: ReadonlyMap<string, string | null>, name: string): string | undefined {
  const value = tags.get(name)
  if (value === null) throw new FormatError(`has the tag ${name} twice`)
  return value
}

function requireTag(tags: ReadonlyMap<string, string | null>, name: string): string {
  const value = optionalTag(tags, name)
  if (value === undefined) throw new FormatError(`has no tag ${name}`)
  return value
}

function requireNumber(text: string, name: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new FormatError(`has the tag ${name} "${text}", which is not a non-negative whole number`)
  }
  return number
}

function optionalText(tags: ReadonlyMap<string, string | null>, name: string, field: string): Message {
  const value = optionalTag(tags, name)
  return value === undefined ? {} : { [field]: value }
}

function optionalNumber(tags: ReadonlyMap<string, string | null>, name: string, field: string): Message {
  const value = optionalTag(tags, name)
  return value === undefined ? {} : { [field]: requireNumber(value, name) }
}
