import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import { nodeFileSystem } from '../../src/fs/index.ts'
import { FaultInjector, type FileSystemFixture, fileSystemSuite, SimulatedDisk } from '../../src/testing/index.ts'

async function onNode(): Promise<FileSystemFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-fs-'))
  return { fileSystem: nodeFileSystem(), directory, dispose: () => rm(directory, { recursive: true, force: true }) }
}

async function onSimulatedDisk(): Promise<FileSystemFixture> {
  const { fileSystem } = new SimulatedDisk()
  await fileSystem.mkdir('/store')
  return { fileSystem, directory: '/store' }
}

async function behindFaultInjector(): Promise<FileSystemFixture> {
  const { fileSystem, directory } = await onSimulatedDisk()
  return { fileSystem: new FaultInjector(fileSystem).fileSystem, directory }
}

fileSystemSuite('file system of Node', onNode, { describe, it })
fileSystemSuite('simulated disk', onSimulatedDisk, { describe, it })
fileSystemSuite('fault injector without faults', behindFaultInjector, { describe, it })
