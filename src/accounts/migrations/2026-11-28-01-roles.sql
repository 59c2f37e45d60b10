-- The roles of the accounts issue in place of the first four. Who was a member could change goals and annotations and
-- export, which is what an analyst may.
ALTER TABLE memberships NO FORCE ROW LEVEL SECURITY;
ALTER TABLE invitations NO FORCE ROW LEVEL SECURITY;
ALTER TABLE people NO FORCE ROW LEVEL SECURITY;

ALTER TABLE memberships DROP CONSTRAINT memberships_role_check;
ALTER TABLE invitations DROP CONSTRAINT invitations_role_check;
UPDATE memberships SET role = 'analyst' WHERE role = 'member';
UPDATE invitations SET role = 'analyst' WHERE role = 'member';
ALTER TABLE memberships ADD CONSTRAINT memberships_role_check CHECK (role IN ('owner', 'admin', 'analyst', 'marketer',
  'author', 'publisher', 'approver', 'viewer', 'billing', 'billing-archive', 'privacy-officer'));
ALTER TABLE invitations ADD CONSTRAINT invitations_role_check CHECK (role IN ('owner', 'admin', 'analyst', 'marketer',
  'author', 'publisher', 'approver', 'viewer', 'billing', 'billing-archive', 'privacy-officer'));

-- Who runs this desk: the first owner, and whom the command line makes one.
ALTER TABLE people ADD COLUMN is_operator boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN people.is_operator IS 'D7 may set what belongs to the whole desk, such as mail and open sign-up';
UPDATE people SET is_operator = true
  WHERE id = (SELECT min(person_id) FROM memberships WHERE role = 'owner');

ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
