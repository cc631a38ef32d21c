CREATE DATABASE ledger CHARACTER SET utf8mb4;
USE ledger;
CREATE TABLE posting (id INT PRIMARY KEY, account VARCHAR(40) NOT NULL, cents BIGINT NOT NULL, proof BINARY(16)) ENGINE=InnoDB;
INSERT INTO posting SELECT seq, CONCAT('konto-', seq MOD 17), CAST(seq AS SIGNED) * 7 - 3000, UNHEX(MD5(seq)) FROM seq_1_to_1000;
CREATE VIEW balance AS SELECT account, SUM(cents) AS cents FROM posting GROUP BY account;
