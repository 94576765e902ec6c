/**
 * Byte arrays inside frozen values. A byte array cannot be frozen, and the value is shared by many readers, so its
 * property is an accessor that answers a fresh copy at every access.
 *
 * The bytes hang on the object in a private field, which costs no memory table and keeps objects of one shape in one
 * hidden class: the getter of a property name is shared by all objects, and finds the bytes through `this`.
 */

/** Inline bytes are kept as a Latin-1 string, which the heap holds far more cheaply than an array buffer of its own. */
export type HiddenBytes = string | Uint8Array

// A constructor that returns an object makes the derived class add its private fields to THAT object.
const Given = function (object: object): object {
  return object
} as unknown as new (
  object: object,
) => object

class Hidden extends Given {
  // The first byte array has a place of its own: nearly always it is the only one.
  #name: string | undefined
  #bytes: HiddenBytes = ''
  #more: Map<string, HiddenBytes> | undefined

  static add(object: object, name: string, bytes: HiddenBytes): void {
    const holder = #name in object ? object : new Hidden(object)
    if (holder.#name === undefined) {
      holder.#name = name
      holder.#bytes = bytes
      return
    }
    holder.#more ??= new Map()
    holder.#more.set(name, bytes)
  }

  static find(receiver: object, name: string): HiddenBytes {
    // The receiver inherits from the object when somebody made it the prototype of another.
    for (let object: object | null = receiver; object !== null; object = Object.getPrototypeOf(object)) {
      if (!(#name in object)) continue
      const bytes = object.#name === name ? object.#bytes : object.#more?.get(name)
      if (bytes !== undefined) return bytes
    }
    throw new TypeError(`the byte array '${name}' can only be read from the object it belongs to`)
  }
}

const descriptorsMax = 4096
let descriptors = new Map<string, PropertyDescriptor>()

/** Defines the byte array `name` of an object or (as a decimal index) of an array. Before the object is frozen. */
export function defineBytes(object: object, name: string, bytes: HiddenBytes): void {
  Hidden.add(object, name, bytes)
  Object.defineProperty(object, name, descriptorOf(name))
}

function descriptorOf(name: string): PropertyDescriptor {
  let descriptor = descriptors.get(name)
  if (descriptor === undefined) {
    if (descriptors.size >= descriptorsMax) descriptors = new Map()
    const get = function (this: object): Uint8Array {
      return copyOf(Hidden.find(this, name))
    }
    descriptor = { get, enumerable: true, configurable: false }
    descriptors.set(name, descriptor)
  }
  return descriptor
}

/** A Uint8Array of its own memory. */
export function copyOf(bytes: HiddenBytes): Uint8Array {
  if (typeof bytes === 'string') return fromLatin1(bytes)
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

function fromLatin1(text: string): Uint8Array {
  const copy = new Uint8Array(text.length)
  Buffer.from(copy.buffer).write(text, 'latin1')
  return copy
}
