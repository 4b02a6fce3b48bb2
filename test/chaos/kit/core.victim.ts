// The desktop core as it ships, under plain Node, with a window's part played by the run that started it: a process to be
// killed.
import { composeDesktop } from '../../../src/main/compose.ts'
import { readConfig } from '../../../src/main/config.ts'
import { silentLog } from '../../../src/main/log.ts'
import { createStderrLog } from '../../../src/main/log.stderr.ts'
import { defaultSettings } from '../../../src/shared/domain.ts'
import { testVault } from '../../fakes/host.ts'
import { quietShell, talk, type Sabotage } from './coreTalk.ts'

const config = readConfig({ defaultDataDir: '' })
let settings = defaultSettings

await talk(
  () =>
    composeDesktop({
      config,
      log: config.logLevel === 'silent' ? silentLog : createStderrLog(config.logLevel),
      vault: testVault,
      settings: { get: () => settings, set: (next) => void (settings = next) },
      shell: quietShell,
      host: {
        start: () => {
          throw new Error('the service of this run is not embedded')
        }
      },
      historyWorker: null,
      version: '0.0.0',
      endpoint: { show: null, stop: null }
    }),
  { sabotage: (process.env['CHAOS_SABOTAGE'] ?? 'none') as Sabotage, expire: () => undefined }
)
