/** What a row of the registry says about one kind of act. */
export interface Action {
  /** Data class of what it was done to. */
  class: `D${number}`;
  /** After the name of whoever did it: "Ada *invited ben*". `{target}` is what it was done to. */
  sentence: string;
  /** `alert`: somebody should look now. `notice`: it changes who may do what, or takes something away. */
  severity: 'info' | 'notice' | 'alert';
}

/**
 * Every act that the trail knows (AUD-01). The list is closed: an act that is not here is refused, and a test holds every
 * line against the calls that write it. The word before the dot is the group that the page filters by.
 */
export const actions = {
  'session.started': info('D8', 'signed in'),
  'session.ended': info('D8', 'signed out'),
  'session.all_ended': notice('D8', 'ended every session of {target}'),
  'session.refused': notice('D8', 'was refused at sign-in'),
  'session.reused': alert('D8', 'presented a session token that had been replaced: the whole session was ended'),

  'password.changed': notice('D8', 'changed the password'),
  'password.reset_asked': info('D8', 'asked for a new password by mail'),
  'password.reset': notice('D8', 'set a new password by a link from a mail'),
  'email.change_asked': info('D7', 'asked for another e-mail address'),
  'email.changed': notice('D7', 'changed the e-mail address'),
  'email.verified': info('D7', 'confirmed the e-mail address'),
  'second_factor.enabled': notice('D8', 'switched the second factor on'),
  'second_factor.disabled': alert('D8', 'switched the second factor off'),
  'second_factor.refused': notice('D8', 'gave a wrong second factor'),
  'second_factor.codes_renewed': notice('D8', 'made new recovery codes'),
  'second_factor.used_recovery': alert('D8', 'signed in with a recovery code'),
  'passkey.added': notice('D8', 'added the passkey {target}'),
  'passkey.refused': alert('D8', 'used a copy of the passkey {target}, which was refused'),
  'passkey.removed': notice('D8', 'removed the passkey {target}'),
  'identity.linked': notice('D8', 'linked {target}'),
  'identity.unlinked': notice('D8', 'unlinked {target}'),

  'person.added': notice('D7', 'joined this desk'),
  'person.changed': info('D7', 'changed the profile of {target}'),
  'person.suspended': alert('D7', 'suspended {target}'),
  'person.resumed': notice('D7', 'let {target} in again'),
  'person.closing': alert('D7', 'set {target} to close'),
  'person.taken_back': alert('D7', 'took back an account whose address nobody had confirmed'),
  'person.kept': notice('D7', 'signed in before the account was closed, and so kept it'),
  'person.closed': alert('D7', 'closed the account of {target}'),
  'person.archive_fetched': notice('D7', 'took along what is stored about the account of {target}'),
  'terms.accepted': info('D23', 'accepted {target}'),
  'age.attested': info('D7', 'attested to be of age'),
  'consent.given': info('D23', 'agreed to {target}'),
  'consent.withdrawn': info('D23', 'took back the consent to {target}'),
  'consent.recorded': info('D23', 'recorded {target}'),
  'consent.basis_changed': notice('D23', 'changed what {target} rests on'),
  'sign_up.invited': notice('D7', 'invited {target} to sign up'),
  'sign_up.revoked': notice('D7', 'took back the invitation of {target} to sign up'),

  'backup.made': info('D16', 'made the backup {target}'),
  'backup.failed': alert('D16', 'could not make a backup'),
  'backup.key_made': alert('D8', 'made a new recovery key for backups'),
  'backup.released': notice('D16', 'let mail of the restored desk go'),

  'member.invited': notice('D7', 'invited {target}'),
  'member.joined': notice('D7', 'joined'),
  'member.removed': notice('D7', 'removed {target}'),
  'member.left': notice('D7', 'left'),
  'member.role_changed': notice('D7', 'changed the role of {target}'),
  'member.changed': notice('D7', 'changed the teams of {target}'),
  'invitation.resent': notice('D7', 'sent the invitation of {target} once more'),
  'invitation.refused': notice('D7', 'could not take up an invitation'),
  'invitation.revoked': notice('D7', 'took back the invitation of {target}'),
  'role.created': notice('D7', 'made the role {target}'),
  'role.changed': notice('D7', 'changed the role {target}'),
  'role.removed': notice('D7', 'removed the role {target}'),
  'team.created': info('D7', 'made the team {target}'),
  'team.changed': info('D7', 'changed the team {target}'),
  'team.removed': notice('D7', 'removed the team {target}'),
  'team.member_added': notice('D7', 'put {target} into a team'),
  'team.member_removed': notice('D7', 'took {target} out of a team'),

  'organisation.created': notice('D7', 'made the organisation {target}'),
  'organisation.renamed': notice('D7', 'renamed the organisation to {target}'),
  'organisation.changed': notice('D7', 'changed settings of the organisation'),
  'organisation.suspended': alert('D7', 'suspended the organisation'),
  'organisation.resumed': notice('D7', 'let the organisation go on'),
  'organisation.closing': alert('D7', 'set the organisation to close'),
  'organisation.closed': alert('D7', 'closed the organisation'),
  'organisation.removed': alert('D7', 'removed everything that a closed organisation had'),
  'organisation.ownership_offered': notice('D7', 'offered the organisation to {target}'),
  'organisation.ownership_withdrawn': info('D7', 'ended the offer of the organisation to {target}'),
  'organisation.ownership_transferred': alert('D7', 'made {target} the owner'),

  'site.created': notice('D7', 'added the site {target}'),
  'site.changed': info('D7', 'changed settings of {target}'),
  'site.renamed': notice('D7', 'renamed a site to {target}'),
  'site.former_domain_removed': notice('D7', 'let a former domain of {target} go'),
  'site.move_offered': notice('D7', 'offered {target} to another organisation'),
  'site.move_refused': info('D7', 'did not let {target} be moved'),
  'site.move_withdrawn': info('D7', 'took the offer of {target} back'),
  'site.moved': alert('D7', 'moved {target} to another organisation'),
  'site.received': alert('D7', 'took {target} over from another organisation'),
  'site.emptying': alert('D3', 'asked for every event of {target} to be removed'),
  'site.emptied': alert('D3', 'removed every event of {target}'),
  'site.deleting': alert('D3', 'set {target} to be deleted'),
  'site.deletion_taken_back': notice('D3', 'took the deletion of {target} back'),
  'site.deleted': alert('D3', 'deleted {target} and its events'),

  'key.created': notice('D8', 'made the API key {target}'),
  'key.revoked': notice('D8', 'revoked the API key {target}'),

  'secret.opened': notice('D9', 'had a secret opened: {target}'),
  'secret.rotated': notice('D9', 'replaced a secret: {target}'),
  'vault.rotated': notice('D9', 'rotated the keys of the vault'),
  'organisation.shredded': alert('D9', 'destroyed the keys of {target}: what was sealed for it is unreadable'),
  'subject.shredded': alert('D9', 'destroyed the key of a person: what was sealed for them is unreadable'),

  'share.created': notice('D3', 'shared {target}'),
  'share.changed': notice('D3', 'changed the share of {target}'),
  'share.revoked': notice('D3', 'ended the share of {target}'),
  'share.refused': notice('D3', 'gave a wrong password for the share of {target}'),
  'report.subscribed': info('D7', 'asked for reports of {target} by mail'),
  'report.unsubscribed': info('D7', 'ended the reports of {target} by mail'),

  'mail.settings_changed': alert('D9', 'changed how mail is sent'),
  'mail.tested': info('D16', 'sent a mail to try the settings'),
  'mail.suppressed': info('D25', 'asked for no more mail of a kind'),
  'mail.bounced': notice('D25', 'ended mail to a mailbox that is not there: {target}'),
  'mail.unsuppressed': info('D25', 'allowed mail of a kind again'),
  'notification.changed': info('D7', 'changed which notifications to get'),

  'export.started': notice('D3', 'started an export of {target}'),
  'export.downloaded': notice('D3', 'downloaded an export of {target}'),
  'export.deleted': info('D3', 'deleted an export of {target}'),
  'archive.started': alert('D7', 'began to make an archive of the whole organisation: {target}'),
  'archive.fetched': alert('D7', 'fetched {target} of the whole organisation'),
  'archive.deleted': notice('D7', 'deleted {target}'),
  'import.started': notice('D3', 'started an import into {target}'),
  'import.cancelled': info('D3', 'cancelled an import into {target}'),
  'import.undone': notice('D3', 'undid an import into {target}'),
  'goal.added': info('D7', 'added the goal {target}'),
  'goal.changed': info('D7', 'changed the goal {target}'),
  'goal.removed': info('D7', 'removed the goal {target}'),
  'goal.restored': info('D7', 'brought the goal {target} back'),
  'shield.added': notice('D7', 'added the shield {target}'),
  'shield.removed': notice('D7', 'removed the shield {target}'),
  'shield.restored': notice('D7', 'brought the shield {target} back'),
  'annotation.added': info('D7', 'added the note {target}'),
  'annotation.changed': info('D7', 'changed the note {target}'),
  'annotation.removed': info('D7', 'removed the note {target}'),
  'foreign_id.added': notice('D7', 'let {target} send under a foreign id'),
  'foreign_id.changed': notice('D7', 'changed a foreign id of {target}'),
  'foreign_id.removed': notice('D7', 'removed a foreign id of {target}'),
  'contact_clicks.sealed_anew': info('D4', 'sealed the kept contact clicks of {target} under another key'),
  'contact_clicks.key_destroyed': notice('D4', 'destroyed a former key of the contact clicks of {target}'),
  'profiles.viewed': notice('D4', 'looked at profiles of {target}'),
  'contact_clicks.viewed': notice('D4', 'looked at contact clicks of {target}'),

  'audit.viewed': info('D17', 'looked at the audit log'),
  'audit.exported': notice('D17', 'exported the audit log'),
  'retention.removed': notice('D22', 'removed what was past its window: {target}'),
  'retention.failed': alert('D22', 'found rows past their window that were still there: {target}'),
  'retention.put_off': alert('D22', 'put the nightly run off by a day: the clock has moved by more than a week'),
  'request.entered': notice('D24', 'entered {target} of a data subject'),
  'request.came': notice('D24', 'sent {target} by the form, and showed that the address is theirs'),
  'request.archive_made': alert('D24', 'put together what is stored about who sent {target}'),
  'request.archive_fetched': notice('D24', 'fetched the archive of {target}'),
  'request.viewed': info('D24', 'looked at {target} and who asks'),
  'request.checked': notice('D24', 'made sure who asks in {target}'),
  'request.begun': info('D24', 'began work on {target}'),
  'request.extended': notice('D24', 'extended the time for {target}'),
  'request.erasure_begun': alert('D24', 'began the erasure of {target}'),
  'request.erased_part': notice('D24', 'erased a part of what is stored for {target}'),
  'request.erasure_ended': alert('D24', 'ended the erasure of {target}'),
  'request.corrected': alert('D24', 'put right what is stored for {target}'),
  'request.restricted': alert('D24', 'put in force what {target} asks for: data is kept and not used'),
  'request.restriction_ending': alert('D24', 'announced the end of what is in force for {target}'),
  'request.restriction_kept': notice('D24', 'took back the end of what is in force for {target}'),
  'request.restriction_ended': alert('D24', 'ended what was in force for {target}'),
  'request.answered': notice('D24', 'answered {target}'),
  'request.refused': notice('D24', 'refused {target}'),
  'policy.changed': alert('D7', 'changed how long things are kept: {target}'),
  'receiver.stated': alert('D16', 'stated who {target} is and what data goes there on'),
  'receiver.announced': alert('D16', 'announced {target}'),
  'identity.changed': alert('D7', 'said who the organisation is: {target}'),
  'document.reviewed': notice('D23', 'read the {target}'),
  'document.published': alert('D23', 'published {target}'),
  'agreement.accepted': alert('D23', 'accepted {target}'),
  'hold.placed': alert('D7', 'placed a legal hold on {target}'),
  'hold.reviewed': notice('D7', 'kept the legal hold on {target} in force'),
  'hold.released': alert('D7', 'released the legal hold on {target}'),
  'incident.opened': alert('D7', 'entered {target}'),
  'incident.added_to': notice('D7', 'added to the log of {target}'),
  'incident.reported': alert('D7', 'said which authority was told of {target}, or why none was'),
  'alert.raised': alert('D16', 'raised an alert: {target}'),
  'incident.concern_came': notice('D7', 'reported {target} by the form'),
  'incident.judged': notice('D7', 'judged {target}'),
  'incident.closed': alert('D7', 'closed {target}'),
  'access.review_begun': notice('D7', 'began {target}'),
  'access.reviewed': alert('D7', 'confirmed or removed who and what has access, in {target}'),
  'access.review_done': alert('D7', 'finished {target}: everything was confirmed or removed'),
  'operations.exported': notice('D16', 'exported the operations log'),
  'access_log.read': notice('D15', 'read the access log'),
  'proof.run': info('D16', 'ran the live checks of this desk'),

  'operator.set_up': alert('D7', 'created the first owner of this desk'),
  'operator.document_published': alert('D23', 'published {target}'),
  'operator.identity_changed': alert('D7', 'said who runs this desk: {target}'),
  'operator.document_withdrawn': alert('D23', 'withdrew {target}'),
  'operator.sign_up_changed': alert('D7', 'changed who may sign up'),
  'operator.password_reset': alert('D8', 'made a link for a new password of {target}'),
  'operator.second_factor_off': alert('D8', 'switched the second factor of {target} off'),
  'operator.granted': alert('D7', 'let {target} run this desk'),
  'operator.withdrawn': alert('D7', 'ended that {target} runs this desk'),
} as const satisfies Record<`${string}.${string}`, Action>;

export type ActionName = keyof typeof actions;

export function isAction(name: string): name is ActionName {
  return Object.hasOwn(actions, name);
}

function info(dataClass: Action['class'], sentence: string): Action {
  return { class: dataClass, sentence, severity: 'info' };
}
function notice(dataClass: Action['class'], sentence: string): Action {
  return { class: dataClass, sentence, severity: 'notice' };
}
function alert(dataClass: Action['class'], sentence: string): Action {
  return { class: dataClass, sentence, severity: 'alert' };
}
