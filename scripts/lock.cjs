'use strict';
// Two commands started at once must not install into one folder: the second waits for the first.

const fs = require('fs');
const path = require('path');
const { cache, readText } = require('./programs.cjs');

const file = path.join(cache, 'setup.lock');

/**
 * Runs `work` while no other process does. The lock is a file with the numbers of its owner and of the program that the
 * owner runs, made whole by a hard link, which fails when it exists. It is stale when all of them are gone: an installer
 * whose parent was killed goes on writing.
 * @param {(line: string) => void} say
 * @param {(lock: {add: (pid: number) => void}) => Promise<T>} work
 * @template T
 */
async function withLock(say, work) {
  fs.mkdirSync(cache, { recursive: true });
  const mine = file + '.' + process.pid;
  fs.writeFileSync(mine, String(process.pid));
  try {
    for (let told = false; !tryLink(mine, file); await pause(200)) {
      const held = readText(file);
      const alive = held.split(' ').map(Number).filter(isAlive);
      if (alive.length === 0) removeStale(held);
      else if (!told) {
        told = true;
        say('Another command is setting up (process ' + alive[0] + '): waiting for it …');
      }
    }
  } finally {
    fs.unlinkSync(mine);
  }
  try {
    return await work({
      add(pid) {
        fs.writeFileSync(file, process.pid + ' ' + pid);
      },
    });
  } finally {
    fs.unlinkSync(file);
  }
}

/** Taken away under a name of our own and looked at again, since another process may have replaced it just now. */
function removeStale(held) {
  const aside = file + '.stale.' + process.pid;
  try {
    fs.renameSync(file, aside);
  } catch {
    return;
  }
  if (readText(aside) !== held) tryLink(aside, file);
  fs.unlinkSync(aside);
}

function tryLink(from, to) {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

module.exports = { withLock };
