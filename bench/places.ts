import path from 'node:path'
import { pathToFileURL } from 'node:url'

// The launcher starts every process of the harness in bench/.
const bench = process.cwd()

/** The built package: what a user would import. */
export const builtPackage = pathToFileURL(path.join(bench, '..', 'dist', 'index.js')).href
export const dataDirectory = path.join(bench, '.data')
export const resultsDirectory = path.join(bench, 'results')
export const workerFile = path.join(dataDirectory, 'build', 'worker.js')
