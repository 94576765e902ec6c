import { parseAst } from 'vitest/node'

export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly [field: string]: unknown
}

/** Every node of a TypeScript file, parents before children. Throws on a syntax error. */
export function* nodesOf(text: string): Generator<SyntaxNode> {
  yield* visit(parseAst(text, { lang: 'ts' }))
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

export function isIdentifier(value: unknown, name?: string): value is SyntaxNode & { readonly name: string } {
  return isNode(value) && value.type === 'Identifier' && (name === undefined || value['name'] === name)
}

/** `a.b` and `a['b']` are both member `b` of `a`; undefined when the name is computed. */
export function memberName(node: SyntaxNode): string | undefined {
  if (node.type !== 'MemberExpression') return undefined
  const { property, computed } = node
  if (computed !== true) return isIdentifier(property) ? property.name : undefined
  return isNode(property) && typeof property['value'] === 'string' ? property['value'] : undefined
}

export function lineOf(text: string, node: SyntaxNode): number {
  return text.slice(0, node.start).split('\n').length
}

function* visit(value: unknown): Generator<SyntaxNode> {
  if (Array.isArray(value)) {
    for (const item of value) yield* visit(item)
  } else if (isNode(value)) {
    yield value
    for (const child of Object.values(value)) yield* visit(child)
  }
}
