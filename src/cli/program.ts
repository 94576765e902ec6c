import { Argument, Command, Option } from 'commander'
import { parseCount, parseProcess, parseProcesses, parseSlotRange } from './arguments.ts'
import { runCheckpoint } from './commands/checkpoint.ts'
import { runDemo } from './commands/demo.ts'
import { runExport } from './commands/export.ts'
import { runGet } from './commands/get.ts'
import { runImport } from './commands/import.ts'
import { runLatest } from './commands/latest.ts'
import { runList } from './commands/list.ts'
import { runRange } from './commands/range.ts'
import { runStatus } from './commands/status.ts'
import { runVerify } from './commands/verify.ts'
import { runWalDump } from './commands/wal-dump.ts'
import { runWalList } from './commands/wal-list.ts'
import type { Context, GlobalOptions } from './context.ts'
import { type ExitCode, exitCodes } from './exit-codes.ts'
import { Output } from './output.ts'
import { packageVersion } from './package-files.ts'
import { createStyle } from './style.ts'
import type { Terminal } from './terminal.ts'

export interface Program {
  /** Parses the arguments and runs the command; rejects with what stopped it. */
  run(argv: readonly string[]): Promise<ExitCode>
  /** How failures are to be shown, as far as the arguments were understood. */
  flags(): { json: boolean; debug: boolean }
}

type Action = (context: Context) => Promise<ExitCode>

/** Knows which commands there are, what they take and what their help says; what they do is in commands/. */
export function createProgram(terminal: Terminal): Program {
  const program = new Command('holdfast')
  let exitCode: ExitCode = exitCodes.ok
  const start = async (action: Action): Promise<void> => {
    const context = createContext(program, terminal)
    exitCode = await action(context)
    await context.out.flush()
  }
  configure(program, terminal)
  addLookCommands(program, start)
  addCheckCommands(program, start)
  addTransferCommands(program, start)
  return {
    async run(argv) {
      await program.parseAsync([...argv])
      return exitCode
    },
    flags: () => ({ json: program.opts().json === true, debug: program.opts().debug === true }),
  }
}

type Start = (action: Action) => Promise<void>

function configure(program: Command, terminal: Terminal): void {
  program
    .description('Looks into, fills and checks a holdfast store. Commands that only read change no byte on disk.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('-s, --store <dir>', 'directory of the store', 'data')
    .option('--json', 'print JSON, one object a line for lists')
    .option('--no-color', 'no colours (as NO_COLOR=1)')
    .option('--debug', 'print stacks of errors')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .showHelpAfterError('Run it with --help to see how it is used.')
    .exitOverride()
    .addHelpText('after', helpEnd)
}

const helpEnd = `
Exit codes: 0 ok, 1 error, 2 wrong usage, 3 not found, 4 integrity problem, 5 store in use, 130 interrupted.

Examples:
  holdfast demo                                    see it survive a kill, in a store of its own
  holdfast import --format scheduler-unit feed.jsonl
  holdfast range PROCESS 0..99 --json | jq .id
  holdfast --store /var/lib/store verify --chain scheduler-unit`

function createContext(program: Command, terminal: Terminal): Context {
  const given = program.opts<{ store: string; json?: true; color: boolean; debug?: true }>()
  const options: GlobalOptions = { store: given.store, json: given.json === true, debug: given.debug === true }
  const style = (isTerminal: boolean | undefined) => {
    return createStyle({ disabled: !given.color, isTerminal: isTerminal === true, environment: terminal.environment })
  }
  return {
    terminal,
    options,
    storeGiven: program.getOptionValueSource('store') !== 'default',
    out: new Output(terminal.stdout),
    outStyle: style(terminal.stdout.isTTY),
    errStyle: style(terminal.stderr.isTTY),
    say: (text) => {
      terminal.stderr.write(`${text}\n`)
    },
  }
}

const processArgument = (): Argument => new Argument('<process>', 'id of the process').argParser(parseProcess)
const limitOption = (what: string, count?: number): Option => {
  const option = new Option('-n, --limit <count>', what).argParser(parseCount)
  return count === undefined ? option : option.default(count)
}
const chainOption = (): Option => {
  return new Option('--chain <rule>', 'check the hash chain of every process too').choices([
    'hyperbeam',
    'scheduler-unit',
  ])
}

function addLookCommands(program: Command, start: Start): void {
  program
    .command('status')
    .description('print what the store is and holds, and who has it open')
    .action(() => start(runStatus))
  program
    .command('ls')
    .description('list what is under a path: processes, slots, content, your own paths')
    .argument('[path]', 'where to look; the top when left out')
    .addOption(limitOption('at most so many names'))
    .option('-r, --reverse', 'last names first')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast ls\n  holdfast ls assignments\n  holdfast ls assignments/PROCESS --reverse --limit 10',
    )
    .action((path: string | undefined, options) => start((context) => runList(context, path, options)))
  program
    .command('get')
    .description('print one value: a content id, a path, or assignments/PROCESS/SLOT')
    .argument('<path-or-id>', 'what to read; links are followed')
    .option('--raw', 'the stored bytes, exactly')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast get assignments/PROCESS/3\n  holdfast get CONTENT-ID --raw > value.bin',
    )
    .action((name: string, options) => start((context) => runGet(context, name, options)))
  program
    .command('latest')
    .description('print the newest slot of a process')
    .addArgument(processArgument())
    .action((process: string) => start((context) => runLatest(context, process)))
  program
    .command('range')
    .description('print slots of a process in order; missing slots are marked')
    .addArgument(processArgument())
    .addArgument(
      new Argument('[from..to]', 'slots, both ends included: 5..10, 5.., ..10, 5')
        .argParser(parseSlotRange)
        .default({}, 'all'),
    )
    .addOption(limitOption('at most so many slots', 100))
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast range PROCESS 0..9\n  holdfast range PROCESS 100.. --limit 20 --json',
    )
    .action((process: string, range, options) => start((context) => runRange(context, process, range, options)))
}

function addCheckCommands(program: Command, start: Start): void {
  program
    .command('verify')
    .description('read everything back and check it: log, checksums, content hashes, links, indexes, chains')
    .addOption(chainOption())
    .addHelpText(
      'after',
      '\nExits with 4 when a problem is found.\n\nExample:\n  holdfast verify --chain scheduler-unit',
    )
    .action((options) => start((context) => runVerify(context, options)))
  program
    .command('checkpoint')
    .description('move everything in the log to the backend and remove the segments no longer needed')
    .action(() => start(runCheckpoint))
  const wal = program.command('wal').description('look into the write-ahead log')
  wal
    .command('ls')
    .description('list the segments')
    .action(() => start(runWalList))
  wal
    .command('dump')
    .description('list the frames of a segment, or of all: offset, sequences, size, state')
    .argument('[segment]', 'file name of a segment, as `wal ls` shows it')
    .action((segment: string | undefined) => start((context) => runWalDump(context, segment)))
  program
    .command('demo')
    .description('import a schedule, kill a writer in mid-stream, recover, and check that nothing acknowledged is lost')
    .option('--keep', 'keep the temporary store')
    .addHelpText('after', '\nUses a temporary store of its own unless --store is given.')
    .action((options) => start((context) => runDemo(context, options)))
}

function addTransferCommands(program: Command, start: Start): void {
  const formats = ['scheduler-unit', 'assignments']
  program
    .command('import')
    .description('write assignments from JSON lines; creates the store if there is none')
    .argument('<file>', 'file of JSON lines, - for standard input')
    .addOption(new Option('-f, --format <format>', 'what the lines are').choices(formats).makeOptionMandatory())
    .addHelpText('after', importHelpEnd)
    .action((file: string, options) => start((context) => runImport(context, file, options)))
  program
    .command('export')
    .description('print assignments as JSON lines that `import --format assignments` reads back')
    .addArgument(new Argument('[process...]', 'processes; all when left out').argParser(parseProcesses))
    .addOption(
      new Option('-f, --format <format>', 'what the lines are').choices(['assignments']).default('assignments'),
    )
    .addHelpText(
      'after',
      '\nExample:\n  holdfast export > all.jsonl && holdfast --store copy import --format assignments all.jsonl',
    )
    .action((processes: string[], options) => start((context) => runExport(context, processes, options)))
}

const importHelpEnd = `
Formats:
  scheduler-unit  edges of a scheduler unit's feed: {"node": {"assignment": {…}, "message": {…}}}
  assignments     what \`holdfast export\` prints

A line that cannot be read stops the import; nothing of its batch is written. Importing the same lines again
changes nothing.

Examples:
  holdfast import --format scheduler-unit feed.jsonl
  zcat feed.jsonl.gz | holdfast import --format scheduler-unit -`
