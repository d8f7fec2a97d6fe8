DROP TABLE notices;
DROP TABLE stop_progress;
DROP TABLE coverage_history;
DROP TABLE coverage;
DROP TABLE decisions;
