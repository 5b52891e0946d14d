-- Requests to run a job now, from replicas that do not lead it. The leader compares the number with
-- the one it saw last; nobody notifies.
CREATE TABLE platform.job_wake (
  job      text   PRIMARY KEY,
  requests bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON platform.job_wake TO plexsphere_platform;
