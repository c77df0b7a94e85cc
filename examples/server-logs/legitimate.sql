-- Account @account uses @device legitimately: from now on, and in the rows that are there.
-- mysql -e "SET @account = '684', @device = 'IOS'; SOURCE legitimate.sql"
START TRANSACTION;
INSERT INTO dim_users.users (account_id, device)
SELECT @account, @device FROM DUAL WHERE NOT EXISTS (
    SELECT 1 FROM dim_users.users WHERE account_id = @account AND device = @device
);
INSERT IGNORE INTO logs.good_logs
    (event_id, account_id, event_type, device, location_country, event_timestamp, status)
SELECT event_id, account_id, event_type, device, location_country, event_timestamp, 'good'
FROM logs.suspicious_logs WHERE account_id = @account AND device = @device;
DELETE FROM logs.suspicious_logs WHERE account_id = @account AND device = @device;
COMMIT;
