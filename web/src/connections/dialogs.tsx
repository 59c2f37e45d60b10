import { useEffect, useState } from 'react';
import { AskFirst } from '../controls/ask_first.tsx';
import { Field, PasswordInput } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { exactCount } from '../numbers/format.ts';
import { type Connection, type ConnectionOffer, connectionsApi, type DisconnectionPreview } from './api.ts';

/** Takes a secret that was copied from a platform. It is never shown again, so it may be looked at while it is typed. */
export function PasteDialog({
  organisation,
  offer,
  replacing,
  onDone,
  onClose,
}: {
  organisation: number;
  offer: ConnectionOffer;
  replacing?: Connection | undefined;
  onDone: () => void;
  onClose: () => void;
}) {
  const [secret, setSecret] = useState('');
  const [label, setLabel] = useState(replacing?.label ?? offer.label);
  if (offer.pasted === null) return null;
  const { what, where } = offer.pasted;
  const title = replacing === undefined ? `Connect ${offer.label}` : `Replace the token of ${replacing.label}`;
  return (
    <FormDialog
      label={title}
      title={title}
      lead={`Copy the ${what} from ${where}. It is sealed, and nobody sees it again.`}
      fields={['secret', 'label']}
      act={replacing === undefined ? 'Connect' : 'Replace'}
      isResting={secret.trim() === '' || label.trim() === ''}
      onClose={onClose}
      onSend={async () => {
        const more = replacing === undefined ? {} : { connection: replacing.id };
        await connectionsApi.paste(organisation, { provider: offer.provider, secret, label, ...more });
        onDone();
      }}
    >
      {(errorOf, clear) => (
        <>
          <Field label={what.charAt(0).toUpperCase() + what.slice(1)} error={errorOf('secret')}>
            {(props) => (
              <PasswordInput
                {...props}
                autoComplete="off"
                value={secret}
                onChange={(event) => {
                  clear();
                  setSecret(event.target.value);
                }}
              />
            )}
          </Field>
          <Field label="Name" help="What your colleagues know it by." error={errorOf('label')}>
            {(props) => (
              <input
                {...props}
                className="in"
                maxLength={80}
                autoComplete="off"
                value={label}
                onChange={(event) => {
                  clear();
                  setLabel(event.target.value);
                }}
              />
            )}
          </Field>
        </>
      )}
    </FormDialog>
  );
}

/** Says what will be cancelled before it is. */
export function DisconnectDialog({
  organisation,
  connection,
  platform,
  onDone,
  onClose,
}: {
  organisation: number;
  connection: Connection;
  platform: string;
  onDone: (said: string) => void;
  onClose: () => void;
}) {
  const [preview, setPreview] = useState<DisconnectionPreview>();
  const { id, label } = connection;
  useEffect(() => {
    // Without it the dialogue says less, and disconnecting works all the same.
    connectionsApi.ending(organisation, id).then(setPreview, () => {});
  }, [organisation, id]);
  const cancels = preview?.cancels.filter(({ count }) => count > 0) ?? [];
  return (
    <AskFirst
      title={`Disconnect ${label}?`}
      act="Disconnect"
      keep="Keep it"
      onClose={onClose}
      onAct={async () => {
        const { revoked } = await connectionsApi.disconnect(organisation, id);
        onDone(
          revoked === 'failed'
            ? `${label} is disconnected, and its token is destroyed here. ${platform} could not be told: end the access there, too.`
            : revoked === 'revoked'
              ? `${label} is disconnected: revoked at ${platform}, and destroyed here.`
              : `${label} is disconnected, and its token is destroyed here. Revoke it where it came from, too.`,
        );
      }}
    >
      {preview === undefined
        ? '…'
        : preview.revokes
          ? `${platform} is told to revoke it, and its token is destroyed. `
          : 'Its token is destroyed. '}
      {preview !== undefined &&
        (cancels.length === 0
          ? 'Nothing waits to be sent with it.'
          : `Cancelled with it: ${cancels.map(({ what, count }) => `${exactCount(count)} ${what}`).join(', ')}.`)}
    </AskFirst>
  );
}
